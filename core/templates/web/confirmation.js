// A moment passes before the button can be pressed. Otherwise the second press of a double click that
// another page asked for would press it, when that page gives way to this one. And it can be pressed
// once: a second time would give up the answer to the first one, and the cookie in it.
const form = document.forms[0];
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
