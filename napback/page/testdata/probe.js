// Looks at each frame once all of them are loaded.
window.onload = function () {
	function rgba(text) {
		var n = text.match(/[\d.]+/g).map(Number);
		return n.length < 4 ? n.concat(1) : n;
	}
	function luminance(c) {
		var l = c.slice(0, 3).map(function (v) {
			v /= 255;
			return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
		});
		return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
	}
	function contrast(a, b) {
		var x = luminance(a), y = luminance(b);
		return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
	}
	// The first ground below an element that is not transparent.
	function ground(w, e) {
		for (; e; e = e.parentElement) {
			var c = rgba(w.getComputedStyle(e).backgroundColor);
			if (c[3] === 1) return c;
		}
		return [255, 255, 255, 1];
	}
	function ownText(e) {
		return Array.prototype.some.call(e.childNodes, function (n) { return n.nodeType === 3 && n.data.trim(); });
	}
	function look(frame) {
		var w = frame.contentWindow, d = frame.contentDocument;
		d.querySelectorAll("details").forEach(function (e) { e.open = true; });
		var f = {
			Width: w.innerWidth, Dark: w.matchMedia("(prefers-color-scheme: dark)").matches,
			Scroll: d.documentElement.scrollWidth, SmallestFont: 1000, Unreadable: [], Cut: [],
			Ground: w.getComputedStyle(d.body).backgroundColor,
			H1: d.querySelector("h1").textContent,
			Headings: Array.from(d.querySelectorAll("h1,h2,h3"), function (e) { return e.tagName; }).join(""),
			Names: Array.from(d.querySelectorAll("h3"), function (e) { return e.textContent; }),
			Scripts: d.scripts.length, Fetched: w.performance.getEntriesByType("resource").length, Hacked: Boolean(w.hacked),
			Stale: !d.getElementById("ahead").hidden ? "ahead" : d.getElementById("stale").hidden ? "" : d.getElementById("age").textContent,
			Articles: d.querySelectorAll("article").length,
			Unnamed: d.querySelectorAll("svg:not([aria-hidden]):not([aria-label])").length,
		};
		d.body.querySelectorAll("*").forEach(function (e) {
			if (!e.getClientRects().length || e.tagName === "SCRIPT") return;
			var s = w.getComputedStyle(e);
			if (e instanceof w.SVGElement) {
				// Marks need 3:1; lines that only help the eye do not.
				if (e.tagName !== "path" || !e.closest(".time, .size, .legend") || /weeks|base/.test(e.getAttribute("class"))) return;
				var ink = s.fill !== "none" ? s.fill : s.stroke;
				if (contrast(rgba(ink), ground(w, e)) < 3) f.Unreadable.push(e.getAttribute("class") + " " + ink);
				return;
			}
			if (!ownText(e)) return;
			var text = d.createRange();
			text.selectNodeContents(e);
			if (!e.closest(".scroll") && text.getBoundingClientRect().right > (e.closest("article") || d.body).getBoundingClientRect().right)
				f.Cut.push(e.textContent.slice(0, 20));
			f.SmallestFont = Math.min(f.SmallestFont, parseFloat(s.fontSize));
			if (contrast(rgba(s.color), ground(w, e)) < 4.5) f.Unreadable.push(e.tagName + " " + e.textContent.slice(0, 20) + " " + s.color);
		});
		f.Unreadable = Array.from(new Set(f.Unreadable)).slice(0, 20);
		return f;
	}
	document.getElementById("out").textContent = JSON.stringify(Array.from(document.querySelectorAll("iframe"), look));
};
