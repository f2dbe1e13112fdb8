// If this script does not run, for example because a proxy has added a policy, the button appears after a moment.
document.querySelector("main").hidden = true;
document.forms[0].submit();
