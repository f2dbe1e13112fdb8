// The button ignores clicks for a moment, so that the second click of a double click on another page does not press
// it. After one click it is disabled: a second request would lose the response to the first one, with its cookie.
const form = document.querySelector("form.confirm");
const button = form.querySelector("button");
let timer;
const wait = () => {
  button.disabled = true;
  clearTimeout(timer);
  timer = setTimeout(() => { button.disabled = false; }, 700);
};
let sent = false;
form.addEventListener("submit", () => { wait(); clearTimeout(timer); sent = true; });
const shown = ({ persisted }) => {
  sent &&= !persisted;
  if (!sent) wait();
};
addEventListener("pageshow", shown);
addEventListener("focus", shown);
wait();
