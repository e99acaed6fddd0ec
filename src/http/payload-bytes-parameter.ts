/** How much is shown of the payloads of messages. */
import { numberParameter } from './number-parameter.js';

/** Most payloads of devices are shorter, and a page of longer ones is still read by people. */
const DEFAULT_PAYLOAD_BYTES = 64 * 1024;
const MOST_PAYLOAD_BYTES = 1024 * 1024;

export const payloadBytesParameter = numberParameter(0, MOST_PAYLOAD_BYTES, DEFAULT_PAYLOAD_BYTES);
