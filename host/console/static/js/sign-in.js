// Signs in: the token goes to the host once, and a cookie that no script can read stands for it from then on.

import { ask } from "./api.js";

const form = document.getElementById("sign-in");
const problem = document.getElementById("problem");
const token = document.getElementById("token");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await ask("/api/session", { method: "POST", json: { token: token.value.trim() } });
    location.assign(form.dataset.next);
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    token.focus();
  }
});
