/** Where a rule takes a text from: the group of a message, its deduplication id, its key. */
import type { MessageView, Scalar } from './message-view.js';

export type ValueSource =
  | 'clientId'
  | 'topic'
  /** From 1. */
  | { readonly topicLevel: number }
  /** Of the user property of that name. */
  | { readonly property: string }
  /** Of the payload, as in a condition. */
  | { readonly json: string };

/** Longer texts count as none: they stay in memory, and publishers choose them. */
const LONGEST_TEXT = 1024;

/** Reads the text. It is empty if there is none. */
export type TextReader = (view: MessageView) => string;

export function textReader(source: ValueSource): TextReader {
  if (source === 'clientId') return (view) => bounded(view.publisherId);
  if (source === 'topic') return (view) => bounded(view.topic);
  if ('topicLevel' in source) return (view) => bounded(view.topicLevel(source.topicLevel));
  if ('property' in source) return (view) => bounded(view.property(source.property));
  const path = source.json.split('.');
  return (view) => bounded(view.field(path));
}

function bounded(value: Scalar | undefined): string {
  if (value === undefined || value === null) return '';
  const text = String(value);
  return text.length > LONGEST_TEXT ? '' : text;
}
