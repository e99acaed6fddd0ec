/**
 * The message that rules look at: its user properties, the fields of a JSON payload, the levels of its topic. The payload is parsed
 * at most once for each message, when the first rule asks for a field, and never if it is too large.
 */
import { Message } from '../core/message.js';
import { findUserProperty } from './property-reader.js';

/** A value that can be compared. */
export type Scalar = string | number | boolean | null;

const OPENING = new Set(['{', '[', '"', ' ', '\t', '\n', '\r'].map((character) => character.charCodeAt(0)));

export class MessageView {
  readonly #maximumJsonBytes: number;
  #message = new Message();
  #isParsed = false;
  #json: unknown = undefined;

  /** @param maximumJsonBytes larger payloads count as no JSON */
  constructor(maximumJsonBytes: number) {
    this.#maximumJsonBytes = maximumJsonBytes;
  }

  look(message: Message): void {
    this.#message = message;
    this.#isParsed = false;
    this.#json = undefined;
  }

  get topic(): string {
    return this.#message.topic;
  }

  /** Client id of the publisher; empty for the broker itself. */
  get publisherId(): string {
    return this.#message.publisherId;
  }

  /** @param level from 1 */
  topicLevel(level: number): string | undefined {
    return this.topic.split('/')[level - 1];
  }

  property(name: string): string | undefined {
    return findUserProperty(this.#message, name);
  }

  /** The payload is JSON. */
  get isJson(): boolean {
    if (!this.#isParsed) this.#parse();
    return this.#json !== undefined;
  }

  /** The value at the path; undefined if there is none, or no plain one, or the payload is no JSON. */
  field(path: readonly string[]): Scalar | undefined {
    if (!this.isJson) return undefined;
    let value = this.#json;
    for (const key of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
      value = (value as Record<string, unknown>)[key];
    }
    return typeof value === 'object' && value !== null ? undefined : (value as Scalar);
  }

  #parse(): void {
    this.#isParsed = true;
    const { payload } = this.#message;
    if (payload.length === 0 || payload.length > this.#maximumJsonBytes || !OPENING.has(payload[0] as number)) return;
    try {
      this.#json = JSON.parse(payload.toString());
    } catch {
      // Whatever it is, it is no JSON: no field of it matches.
    }
  }
}
