/**
 * Where a publisher wants to be told what became of a message: its Response Topic and Correlation Data, as one text that a queue keeps
 * with the message.
 *
 *   correlation data in base64 | ':' | topic
 */
import type { Message } from '../core/message.js';
import { findProperty } from './property-reader.js';

const RESPONSE_TOPIC = 0x08;
const CORRELATION_DATA = 0x09;
const SEPARATOR = ':';

export interface ReceiptAddress {
  readonly topic: string;
  readonly correlationData: Buffer | undefined;
}

/** @returns empty if the message names no topic that clients may publish to themselves */
export function receiptAddressOf(message: Message): string {
  const topic = findProperty(message, RESPONSE_TOPIC)?.toString();
  // The broker speaks there, and in the name of whoever has set the topic.
  if (topic === undefined || topic.startsWith('$')) return '';
  const correlation = findProperty(message, CORRELATION_DATA);
  return (correlation?.toString('base64') ?? '') + SEPARATOR + topic;
}

export function parseReceiptAddress(text: string): ReceiptAddress {
  const at = text.indexOf(SEPARATOR);
  const correlation = text.slice(0, at);
  return {
    topic: text.slice(at + 1),
    correlationData: correlation === '' ? undefined : Buffer.from(correlation, 'base64'),
  };
}
