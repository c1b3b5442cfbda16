// From a message to the line of a text that it is about: a click on the quoted line selects it.
"use strict";

document.addEventListener("click", (event) => {
  const excerpt = event.target.closest?.(".brokkr-excerpt");
  const source = excerpt && document.querySelector(`textarea[name="${CSS.escape(excerpt.dataset.field)}"]`);
  if (!source) return;
  const index = Number(excerpt.dataset.line) - 1;
  const lines = source.value.split("\n");
  const start = lines.slice(0, index).reduce((sum, line) => sum + line.length + 1, 0);
  source.focus();
  source.setSelectionRange(start, start + (lines[index] ?? "").length);
  source.scrollTop = (source.scrollHeight / lines.length) * Math.max(0, index - 3);
});
