// Deploying from the page: zips are dropped anywhere or chosen, confirmed by name, and deployed one after the other.

import { make } from "/static/dom.js";
import { DeployJob } from "./deploy-job.js";
import { refusal } from "./packages.js";
import { t } from "./strings.js";

class Deploys {
  #jobs = [];
  #running = null;

  constructor(panel) {
    this.panel = panel;
    this.list = make("div", { class: "stack" });
    panel.append(make("h2", {}, t("deploy.title")), this.list);
    panel.addEventListener("deploy:asked", () => this.#next());
    panel.addEventListener("deploy:again", (event) => {
      event.target.remove();
      this.take([event.detail.file], event.detail.name);
    });
    // A page that is left while it sends would cut its package off.
    window.addEventListener("beforeunload", (event) => this.#jobs.some((job) => ["sending", "queued"].includes(job.state)) && event.preventDefault());
  }

  /** Show these files, each with what it is to be called; those that are no packages say so. */
  async take(files, name = this.panel.dataset.name) {
    this.panel.hidden = false;
    for (const file of files) {
      const job = new DeployJob(file, name, { ended: () => this.#end(job) });
      this.list.prepend(job.box);
      const reason = await refusal(file, Number(this.panel.dataset.largest));
      if (reason) job.refuse(reason);
      else this.#jobs.push(job);
    }
    this.panel.scrollIntoView({ block: "nearest" });
    this.#jobs.find((job) => job.state === "waiting")?.go.focus();
  }

  #next() {
    if (this.#running) return;
    this.#running = this.#jobs.find((job) => job.state === "queued") ?? null;
    this.#running?.begin();
  }

  #end(job) {
    if (this.#running === job) this.#running = null;
    this.#jobs = this.#jobs.filter((each) => each !== job);
    this.panel.hidden = !this.list.childElementCount;
    this.#next();
  }
}

function onFiles(drop, take) {
  let inside = 0;
  const has = (event) => event.dataTransfer?.types.includes("Files");
  const show = (step) => {
    inside = Math.max(0, inside + step);
    drop.hidden = !inside;
  };
  document.addEventListener("dragenter", (event) => has(event) && show(1));
  document.addEventListener("dragleave", (event) => has(event) && show(-1));
  document.addEventListener("dragover", (event) => has(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!has(event)) return;
    event.preventDefault();
    inside = 0;
    show(0);
    take([...event.dataTransfer.files]);
  });
}

/** Watch for packages, where the one who looks may deploy. */
export function begin() {
  const panel = document.getElementById("deploys");
  if (!panel) return;
  const deploys = new Deploys(panel);
  const chooser = document.getElementById("packages");
  onFiles(document.getElementById("drop"), (files) => deploys.take(files));
  document.getElementById("deploy").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    deploys.take([...chooser.files]);
    chooser.value = "";
  });
}
