/** Text that somebody else has chosen, for a terminal: its control characters must not reach it. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd');
}

/** The same, and in one line. */
export function visibleLine(text: string): string {
  return visible(text).replace(/[\t\n]/g, ' ');
}
