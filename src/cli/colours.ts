/** Terminal colours, or none: not on a pipe, not with NO_COLOR (no-color.org), not on a terminal that has none. */
export interface Colours {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

interface OutputStream {
  readonly isTTY?: boolean;
  hasColors?(): boolean;
}

export function coloursFor(stream: OutputStream, environment: Readonly<Record<string, string | undefined>>): Colours {
  const { NO_COLOR = '' } = environment;
  const enabled = NO_COLOR === '' && stream.isTTY === true && stream.hasColors?.() === true;
  const paint = (open: number, close: number) => (text: string) =>
    enabled && text !== '' ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}
