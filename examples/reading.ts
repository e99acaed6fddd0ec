/** A reading of a device, as the workers of these examples keep it. */
import { appendFile } from 'node:fs/promises';

/** Nobody can ever work on the message. */
export class NoReading extends Error {}

/** @throws NoReading if the text is none */
export function celsiusIn(text: string): number {
  let reading: unknown;
  try {
    reading = JSON.parse(text);
  } catch {
    throw new NoReading('no JSON');
  }
  if (typeof reading === 'object' && reading !== null && 'celsius' in reading && typeof reading.celsius === 'number') {
    return reading.celsius;
  }
  throw new NoReading('no number celsius');
}

/** Done means kept: the file is synced before it returns. */
export async function keep(file: string, id: string, topic: string, celsius: number): Promise<void> {
  await appendFile(file, `${JSON.stringify({ id, topic, celsius })}\n`, { flush: true });
}
