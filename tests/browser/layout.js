// What cannot be read on the page as it is laid out now: one sentence for each fault.
() => {
  const faults = [];
  const said = (element) => element.innerText.trim().replace(/\s+/g, " ").slice(0, 60);
  const where = (element) => `${element.tagName.toLowerCase()}.${[...element.classList].filter((name) => name.startsWith("brokkr") || name.startsWith("field")).join(".")}`;
  const isShown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) faults.push(`the page is ${wide} px wider than the window`);

  // An element that is out of sight, and that nothing can bring into sight. Where there is room, no column has to be scrolled to.
  const isCut = (element) => {
    const box = element.getBoundingClientRect();
    const hasRoom = innerWidth >= 1024 && element.closest("table.border-separate");
    for (let around = element.parentElement; around; around = around.parentElement) {
      const { overflowX } = getComputedStyle(around);
      if (overflowX === "auto" || overflowX === "scroll") return hasRoom && box.right > around.getBoundingClientRect().right + 1;
      if (overflowX !== "visible" && box.right > around.getBoundingClientRect().right + 1) return true;
    }
    return box.right > innerWidth + 1 || box.left < -1;
  };
  for (const cell of document.querySelectorAll("#main :is(td, th, dt, dd, button, input, select, .brokkr-figures a)")) {
    if (!isShown(cell) || cell.closest(".brokkr-unseen, .simplebar-dummy-scrollbar-size")) continue;
    const box = cell.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    if (isCut(cell)) faults.push(`${where(cell)} is cut off: ${said(cell)}`);
    const { overflowX, textOverflow } = getComputedStyle(cell);
    const isHidden = overflowX === "hidden" || overflowX === "clip";
    if (isHidden && cell.scrollWidth > cell.clientWidth + 1 && textOverflow !== "ellipsis") faults.push(`${where(cell)} cuts its words: ${said(cell)}`);
  }

  // Words and numbers that are broken although they are short.
  const range = document.createRange();
  for (const root of document.querySelectorAll("#main :is(table, dl, .brokkr-figures, h1, h2, .brokkr-cards, #tabs-items)")) {
    if (root.closest("pre, .brokkr-diff") || root.parentElement.closest("table")) continue;
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const parent = text.parentElement;
      if (!text.data.trim() || parent.closest("pre, code, script, select, option, .material-symbols-outlined, .brokkr-unseen") || !isShown(parent)) continue;
      for (const word of text.data.matchAll(/(?<!\S)[^\s/-]{2,12}(?!\S)/gu)) {
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].filter((box) => box.width > 0).map((box) => Math.round(box.top)));
        if (lines.size > 1) {
          faults.push(`${where(parent)} breaks "${word[0]}": ${said(parent)}`);
          break;
        }
      }
    }
  }
  return faults;
}
