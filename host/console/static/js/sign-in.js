// Signs in: the token (or the code of a link) goes to the host once, and a cookie that no script can read stands for it from then on.

import { ask } from "./api.js";

const form = document.getElementById("sign-in");
const problem = document.getElementById("problem");
const token = document.getElementById("token");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn({ token: token.value.trim() });
});

// A link of `fnhost console` has a code behind the #, which no server sees and which is good for once.
const code = location.hash.slice(1);
if (code) {
  history.replaceState(null, "", location.pathname + location.search);
  signIn({ code });
}

async function signIn(told) {
  try {
    await ask("/api/session", { method: "POST", json: told });
    location.replace(form.dataset.next);
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    token.focus();
  }
}
