// A page that nobody renews goes on saying that all is well.
(function () {
	var made = Date.parse(document.getElementById("made").getAttribute("datetime"));
	var hours = Math.floor((Date.now() - made) / 3600000);
	if (hours >= 26) {
		document.getElementById("age").textContent = hours < 72 ? hours + " hours" : Math.floor(hours / 24) + " days";
		document.getElementById("stale").hidden = false;
		document.documentElement.className = "old";
	}
})();
