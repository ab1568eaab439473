/** `/watch/abc` → `abc`; null when the address names nothing. */
export function idFromPath(path: string): string | null {
  const id = path.split("/")[2];
  return id ? decodeURIComponent(id) : null;
}
