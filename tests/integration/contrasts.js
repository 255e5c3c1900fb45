// Returns the contrast (WCAG 2) of each visible text, and of each mark of a plot, with its paper.
() => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    probe.clearRect(0, 0, 1, 1);
    probe.fillStyle = colour;
    probe.fillRect(0, 0, 1, 1);
    return [...probe.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const paper = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
      if (colour[3] !== 0) throw new Error("a half transparent paper: " + one.outerHTML.slice(0, 80));
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  const tell = (kind, element, colour, text) => {
    found.push({ kind, text: text.slice(0, 40), where: element.className?.baseVal ?? element.className, contrast: contrast(rgba(colour), paper(element)) });
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const [text, element] = [walker.currentNode.textContent.trim(), walker.currentNode.parentElement];
    if (!text || !element.checkVisibility() || element.closest("script")) continue;
    const look = getComputedStyle(element);
    tell("text", element, element.closest("svg") ? look.fill : look.color, text);
  }
  for (const element of document.querySelectorAll("*"))
    for (const pseudo of ["::before", "::after"]) {
      const look = getComputedStyle(element, pseudo);
      if (/^"[^"]*[^\s"]/.test(look.content) && look.display !== "none" && element.checkVisibility()) tell("text", element, look.color, look.content);
    }
  for (const point of document.querySelectorAll(".point")) {
    const path = point.matches("path") ? point : point.querySelector("path");
    if (point.checkVisibility()) tell("mark", point, getComputedStyle(path).fill, "mark");
  }
  return found;
};
