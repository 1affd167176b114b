// Keeps the sections marked data-follow as the server has them. The page works without this.
"use strict";

(() => {
  const EVERY_MS = 2000;
  const news = document.querySelector("[data-follow-news]");
  const pause = document.querySelector("[data-pause]");
  const served = new Map(); // what the server last said of each section: the page's own copy may hold choices

  const sectionsOf = (page) => [...page.querySelectorAll("[data-follow]")];

  // A form that is being filled in is left alone.
  const isBeingUsed = (section) =>
    [...section.querySelectorAll("option")].some((one) => one.selected !== one.defaultSelected) ||
    (document.activeElement?.tagName === "SELECT" && section.contains(document.activeElement));

  const withKey = (section, key) => [...section.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);

  function replace(section, fresh) {
    const key = section.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    section.innerHTML = fresh.innerHTML;
    if (key !== undefined) withKey(section, key)?.focus({ preventScroll: true });
  }

  function follow(fresh) {
    const section = document.getElementById(fresh.id);
    if (!section || served.get(fresh.id) === fresh.innerHTML || isBeingUsed(section)) return [];
    served.set(fresh.id, fresh.innerHTML);
    replace(section, fresh);
    return "announce" in section.dataset ? [section.querySelector("h2").textContent] : [];
  }

  function say(text) {
    if (news.textContent !== text) news.textContent = text;
  }

  async function look() {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const changed = sectionsOf(page).flatMap(follow);
      if (changed.length) say(`${changed.join(", ")} ${news.dataset.changed}`);
      news.classList.add("unseen");
    } catch {
      say(news.dataset.lost);
      news.classList.remove("unseen");
    }
  }

  async function keepLooking() {
    if (!pause.checked && !document.hidden) await look();
    setTimeout(keepLooking, EVERY_MS);
  }

  for (const section of sectionsOf(document)) served.set(section.id, section.innerHTML);
  document.querySelector("[data-follow-switch]").hidden = false;
  setTimeout(keepLooking, EVERY_MS);
})();
