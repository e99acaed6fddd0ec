/** How much is shown of the payload of each message. */
import { numberParameter } from './number-parameter.js';

const MOST_PAYLOAD_BYTES = 1024 * 1024;

export function payloadBytesParameter(otherwise: number) {
  return numberParameter(0, MOST_PAYLOAD_BYTES, otherwise);
}
