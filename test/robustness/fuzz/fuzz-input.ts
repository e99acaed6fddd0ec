/** What is played against a broker: connections, the packets of each, and the manner in which they come. */

export const TRANSPORTS = ['tcp', 'ws'] as const;
/** In one piece, packet by packet, byte by byte, or cut anywhere. */
export const CHUNKINGS = ['whole', 'packets', 'bytes', 'pieces'] as const;
/** What comes back is read at once, or only after a pause. */
export const READINGS = ['always', 'late'] as const;
/** Waits for all answers, closes, closes its own side only, or resets the connection. */
export const ENDINGS = ['wait', 'close', 'half-close', 'reset'] as const;
/** PUBLISH and PUBREL of the broker are answered, or left without an answer. */
export const ANSWERINGS = ['settle', 'ignore'] as const;

export interface Delivery {
  readonly transport: (typeof TRANSPORTS)[number];
  readonly chunking: (typeof CHUNKINGS)[number];
  readonly reading: (typeof READINGS)[number];
  readonly ending: (typeof ENDINGS)[number];
  readonly answering: (typeof ANSWERINGS)[number];
}

export const PLAIN: Delivery = {
  transport: 'tcp',
  chunking: 'packets',
  reading: 'always',
  ending: 'wait',
  answering: 'settle',
};

export interface Script {
  readonly delivery: Delivery;
  /** Their bytes, one behind the other, are what is sent; damaged ones need not be packets. */
  readonly packets: readonly Buffer[];
}

/** Connections that are open at the same time. */
export interface FuzzInput {
  readonly scripts: readonly Script[];
}

/** Inputs one after the other, against one broker. */
export type FuzzCase = readonly FuzzInput[];

export function bytesOf(script: Script): Buffer {
  return Buffer.concat(script.packets);
}

export function plainInput(packets: readonly Buffer[]): FuzzInput {
  return { scripts: [{ delivery: PLAIN, packets }] };
}
