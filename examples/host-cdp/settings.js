// Shows in each dropdown only what belongs to the choice above it. Without this script the groups' names say what belongs
// where, and the server checks it either way.
const [organization, adAccount, pixel] = ["organizationId", "adAccountId", "pixelId"].map((id) =>
  document.getElementById(id),
);

function narrow(parent, child) {
  for (const group of child.querySelectorAll("optgroup")) {
    group.hidden = group.dataset.of !== parent.value;
    group.disabled = group.hidden;
  }
  if (child.selectedOptions[0]?.parentElement?.disabled) child.value = "";
}

function narrowAll() {
  narrow(organization, adAccount);
  narrow(adAccount, pixel);
}

if (organization) {
  organization.addEventListener("change", narrowAll);
  adAccount.addEventListener("change", narrowAll);
  narrowAll();
}

// A token that is pasted and not saved yet goes along with whatever else is pressed: the next page's field is empty.
const token = document.getElementById("token");
document.addEventListener("formdata", ({ target, formData }) => {
  if (token.value.trim() && target !== token.form) formData.set("conversionsToken", token.value);
});
