const DIGITS = 20;

/** The number of a message in a fifo queue, as SQS writes it: texts compare as the numbers do. */
export function sequenceNumberOf(sequence: number): string {
  return String(sequence).padStart(DIGITS, '0');
}
