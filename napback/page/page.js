// A page that nobody renews goes on saying that all is well. So does one that is made
// by a clock that runs ahead.
(function () {
	var made = Date.parse(document.getElementById("made").getAttribute("datetime"));
	var hours = Math.floor((Date.now() - made) / 3600000);
	var warning = hours >= 26 ? "stale" : hours < -1 ? "ahead" : "";
	if (warning) {
		document.getElementById("age").textContent = hours < 72 ? hours + " hours" : Math.floor(hours / 24) + " days";
		document.getElementById(warning).hidden = false;
		document.documentElement.className = "old";
	}
})();
