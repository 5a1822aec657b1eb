// A file that is dropped anywhere on the field is chosen, as if by hand.
const field = document.querySelector(".drop");
const input = field && field.querySelector("input");
if (field && input) {
  for (const name of ["dragover", "dragleave", "drop"]) {
    field.addEventListener(name, (event) => {
      event.preventDefault();
      field.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
      }
    });
  }
}
