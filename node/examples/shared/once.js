// A second press would give up the answer to the first one, and the cookie in it.
const form = document.querySelector("form.confirm");
form.addEventListener("submit", () => { form.querySelector("button").disabled = true; });
addEventListener("pageshow", () => { form.querySelector("button").disabled = false; });
