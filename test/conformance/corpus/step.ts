/** What a case does, one thing after the other. */
import type { BytePattern } from './byte-pattern.js';

export type Step = { readonly place: string } & (
  | { readonly kind: 'send'; readonly client: string; readonly bytes: Buffer }
  | { readonly kind: 'expect'; readonly client: string; readonly patterns: readonly BytePattern[] }
  | { readonly kind: 'open' | 'close' | 'silence' | 'drop' | 'end'; readonly client: string }
  | { readonly kind: 'advance'; readonly ms: number }
);
