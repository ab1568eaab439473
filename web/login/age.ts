/** Which age group a date of birth stands for, as far as the page must say what follows; the server decides. Pure. */

export type Band = "under7" | "minor" | "adult";

/** null while the date is not one. Full years on this day; 29 February counts as 1 March. */
export function bandOf(born: string, today: Date): Band | null {
  const [year, month, day] = born.split("-").map(Number);
  if (!year || year < 1900 || !month || !day) return null;
  const hadBirthday = today.getMonth() + 1 > month || (today.getMonth() + 1 === month && today.getDate() >= day);
  const years = today.getFullYear() - year - (hadBirthday ? 0 : 1);
  if (years < 0) return null;
  return years < 7 ? "under7" : years < 18 ? "minor" : "adult";
}
