// A click on a column's title sorts by it; another click reverses the order.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const number = (text) => parseFloat(text.replaceAll(",", ""));
  table.tHead.addEventListener("click", (event) => {
    const title = event.target.closest("th");
    if (!title) return;
    const column = title.cellIndex;
    const down = title.getAttribute("aria-sort") !== "descending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    title.setAttribute("aria-sort", down ? "descending" : "ascending");
    const compare = (a, b) => {
      const [one, two] = [a, b].map((row) => row.cells[column].textContent.trim());
      if (!one || !two) return !one - !two; // empty cells stay at the bottom
      const [x, y] = [one, two].map(number);
      const order = isNaN(x) || isNaN(y) ? one.localeCompare(two) : x - y;
      return down ? -order : order;
    };
    body.append(...[...body.rows].sort(compare));
  });
}
