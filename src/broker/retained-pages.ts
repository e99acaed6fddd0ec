/**
 * Where the content of retained messages lies. Most are some dozen bytes, and a Buffer of their own would take several times as
 * much: small ones are packed into pages, one after the other. What is replaced leaves a gap; the rest of a page that is less than
 * half full moves on to another one, so that pages take at most twice what is in them.
 *
 * A message that somebody else holds on to after it has gone from here keeps its page, and no more than that, in memory.
 */
import type { Message } from '../core/message.js';

const PAGE_BYTES = 4096;
/** A larger one has a buffer of its own. */
const LARGEST_PACKED_BYTES = PAGE_BYTES / 8;

class Page {
  readonly bytes = Buffer.allocUnsafeSlow(PAGE_BYTES);
  /** All that have ever been put here, in order. */
  readonly messages: Message[] = [];
  used = 0;
  /** Bytes of those that are still retained. */
  live = 0;
}

export class RetainedPages {
  readonly #isRetained: (message: Message) => boolean;
  readonly #pages = new Map<Buffer, Page>();
  #filling = new Page();

  /** @param isRetained whether it has been taken in here and not been let go since */
  constructor(isRetained: (message: Message) => boolean) {
    this.#isRetained = isRetained;
  }

  /** Bytes of all pages. */
  get bytes(): number {
    return (this.#pages.size + 1) * PAGE_BYTES;
  }

  /** Moves the content of a message that is retained from now on. */
  take(message: Message): void {
    const { span } = message;
    if (span > LARGEST_PACKED_BYTES) {
      message.compact();
      return;
    }
    if (this.#filling.used + span > PAGE_BYTES) this.#beginPage();
    const page = this.#filling;
    message.moveTo(page.bytes, page.used);
    page.used += span;
    page.live += span;
    page.messages.push(message);
  }

  /** The message is not retained any more. Its content stays for who else has it. */
  release(message: Message): void {
    if (message.bytes === this.#filling.bytes) {
      this.#filling.live -= message.span;
      return;
    }
    const page = this.#pages.get(message.bytes);
    if (page === undefined) return;
    page.live -= message.span;
    this.#vacateIfSparse(page);
  }

  #beginPage(): void {
    const full = this.#filling;
    this.#filling = new Page();
    this.#pages.set(full.bytes, full);
    this.#vacateIfSparse(full);
  }

  #vacateIfSparse(page: Page): void {
    if (page.live > PAGE_BYTES / 2) return;
    this.#pages.delete(page.bytes);
    for (const message of page.messages) {
      if (message.bytes === page.bytes && this.#isRetained(message)) this.take(message);
    }
  }
}
