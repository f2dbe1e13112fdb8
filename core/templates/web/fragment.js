// No server ever sees a fragment, so this posts what is in it. The address that stays in the history
// is without it.
const main = document.querySelector("main");
const form = document.forms[0];
const answer = new URLSearchParams(location.hash.slice(1));
for (const name of ["id_token", "state", "error", "error_description"]) {
  for (const value of answer.getAll(name)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
}
if (form.elements.length) {
  main.hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
  form.submit();
} else {
  for (const element of main.querySelectorAll("[data-empty]")) {
    element.textContent = element.dataset.empty;
  }
  document.title = main.querySelector("h1").textContent;
  main.classList.remove("later");
}
