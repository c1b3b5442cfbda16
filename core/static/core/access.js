// Names for what the theme's libraries make without one, so that screen readers can say what it is; the spelling of
// headings on narrow screens; and which groups of the sidebar are folded.
(() => {
  const name = (box) => {
    const select = box.previousElementSibling;
    const label = select?.labels?.[0]?.textContent.trim() || select?.getAttribute("aria-label");
    if (!label) return;
    for (const part of box.querySelectorAll("[role=combobox], [role=textbox], [role=searchbox]")) {
      part.setAttribute("aria-label", label);
    }
  };
  const look = () => {
    document.querySelectorAll(".select2-container").forEach(name);
    // A name of an icon, such as "unfold_more", is no word to be read where words say it already.
    document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])").forEach((icon) => {
      const around = icon.closest("a, button");
      if (around && (around.title || around.textContent.trim() !== icon.textContent.trim())) icon.setAttribute("aria-hidden", "true");
    });
    // Below the heading of the page, without one between.
    document.querySelectorAll("#changelist-filter h3").forEach((heading) => heading.setAttribute("aria-level", "2"));
    // On a narrow screen a heading stands before its value, spelled as above the columns of a wide one.
    document.querySelectorAll("td[data-label], th[data-label]").forEach((cell) => {
      const label = cell.dataset.label;
      const spelled = label.charAt(0).toUpperCase() + label.slice(1);
      if (spelled !== label) cell.dataset.label = spelled;
    });
    document.querySelectorAll(".help-tooltip[aria-label]").forEach((help) => help.setAttribute("role", "img"));
    document.querySelectorAll(".simplebar-content-wrapper").forEach((box, number) => {
      box.setAttribute("aria-label", number ? `Scrollable content ${number + 1}` : "Scrollable content");
    });
  };
  const remember = (group) => {
    const key = `folded ${group.dataset.group}`;
    group.open = localStorage.getItem(key) === null || group.querySelector("[aria-current]") !== null;
    group.addEventListener("toggle", () => {
      if (group.open) localStorage.removeItem(key);
      else localStorage.setItem(key, "yes");
    });
  };
  const start = () => {
    look();
    document.querySelectorAll("details[data-group]").forEach(remember);
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  };
  document.addEventListener("DOMContentLoaded", start);
})();
