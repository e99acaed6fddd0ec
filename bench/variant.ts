/** How the same load can be brought in different ways, within one run of the benchmark, so that the ratios between them hold. */
import type { Protocol } from './generator/frames.js';
import type { Transport } from './generator/transport.js';

export interface Variant {
  readonly protocol: Protocol;
  readonly transport: Transport;
  /** User Properties in each message; MQTT 5. */
  readonly userProperties: number;
  readonly payloadBytes: number;
}

export interface VariantLists {
  readonly protocols: readonly Protocol[];
  readonly transports: readonly Transport[];
  readonly userProperties: readonly number[];
  readonly payloads: readonly number[];
}

/** Every combination; user properties are for MQTT 5 alone. */
export function variantsOf(lists: VariantLists): Variant[] {
  const variants: Variant[] = [];
  for (const protocol of lists.protocols) {
    for (const transport of lists.transports) {
      for (const userProperties of protocol === 5 ? lists.userProperties : [0]) {
        for (const payloadBytes of lists.payloads) variants.push({ protocol, transport, userProperties, payloadBytes });
      }
    }
  }
  return variants;
}

/** One for each combination of what is told apart; the first of those that differ in something else only. */
export function distinctVariants(
  variants: readonly Variant[],
  variesBy: readonly (keyof Variant)[] | undefined,
): readonly Variant[] {
  if (variesBy === undefined) return variants;
  const byKey = new Map<string, Variant>();
  for (const variant of variants) {
    const key = variesBy.map((field) => variant[field]).join();
    if (!byKey.has(key)) byKey.set(key, variant);
  }
  return [...byKey.values()];
}

const EVERY_FIELD: readonly (keyof Variant)[] = ['protocol', 'transport', 'payloadBytes', 'userProperties'];

/**
 * For people, for instance `MQTT 5, tls, 100 B, 4 properties`.
 * @param fields what there is to be told apart (default: all)
 */
export function describeVariant(variant: Variant, fields: readonly (keyof Variant)[] = EVERY_FIELD): string {
  const { protocol, transport, userProperties, payloadBytes } = variant;
  const words: Readonly<Record<keyof Variant, string | undefined>> = {
    protocol: `MQTT ${protocol === 5 ? '5' : '3.1.1'}`,
    transport,
    payloadBytes: `${payloadBytes} B`,
    userProperties: userProperties === 0 ? undefined : `${userProperties} properties`,
  };
  return EVERY_FIELD.flatMap((field) => (fields.includes(field) ? (words[field] ?? []) : [])).join(', ');
}
