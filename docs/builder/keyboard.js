// On narrow windows the list of pages and the search are reached by Tab, too. The theme lets Enter press labels.
for (const label of document.querySelectorAll(".md-header__button:is([for=__drawer], [for=__search])")) {
  label.tabIndex = 0;
  label.role = "button";
}
addEventListener("keydown", (event) => {
  const drawer = document.getElementById("__drawer");
  if (event.key === "Escape" && drawer.checked) {
    drawer.click();
  }
});
