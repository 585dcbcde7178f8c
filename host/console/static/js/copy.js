// Copies text. Pages over plain HTTP from another machine have no clipboard of their own: there it is selected.

import { t } from "./strings.js";
import { toast } from "./toast.js";

export async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
  } else {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(t("console.action.copied"));
}
