/** Names of run folders: `results/<experiment>/<ten hexadecimal digits>`. */
export function isRunFolder(name: string): boolean {
  return /^[0-9a-f]{10}$/.test(name);
}
