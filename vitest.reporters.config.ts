/** With MILLRACE_REPORT set to a folder, a run also leaves its numbers there, for .ci/run to add up. */
export function reporters(name: string): { reporters?: ['default', 'json']; outputFile?: { json: string } } {
  const folder = process.env['MILLRACE_REPORT'];
  if (folder === undefined) return {};
  return { reporters: ['default', 'json'], outputFile: { json: `${folder}/${name}.json` } };
}
