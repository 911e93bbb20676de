// Shows and hides languages, and names them.
const languages = byId("languages");

languages?.addEventListener("change", ({ target }) => {
  const place = Number(target.value) + 1;
  for (const line of [byId("names"), ...lines]) line.children[place].hidden = !target.checked;
  search();
  // The lines have other heights now: a reader who is among them stays at the same one.
  if (here && controls.getBoundingClientRect().top <= 0) goTo(here);
});

// The name of a column begins at the side at which its texts begin.
[...byId("names").children].forEach((name, place) => {
  const text = byId("lines").querySelector(`.line > :nth-child(${place + 1}) > p[lang]`);
  if (text) name.dir = getComputedStyle(text).direction;
});

// The browser names the languages; a tag without a name stays.
const called = new Intl.DisplayNames(["en"], { type: "language", fallback: "code" });
for (const element of document.querySelectorAll("[data-language]")) {
  try {
    element.textContent = called.of(element.dataset.language);
  } catch {
    element.textContent = element.dataset.language;
  }
}
