/** The message by which a publisher is told what became of his. */
import type { ReceiptNotice } from '../queues/receipts.js';
import { parseReceiptAddress } from './receipt-address.js';

export interface ReceiptPublication {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 1;
  readonly contentType: string;
  readonly correlationData: Buffer | undefined;
}

export function receiptPublication({ id, queue, result, receiptTo }: ReceiptNotice): ReceiptPublication {
  const { topic, correlationData } = parseReceiptAddress(receiptTo);
  return {
    topic,
    payload: JSON.stringify({ id, queue, result }),
    qos: 1,
    contentType: 'application/json',
    correlationData,
  };
}
