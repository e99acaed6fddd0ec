/**
 * Sizes as people write them: `65536`, `64KB` (1000s), `1MiB` (1024s). Used by the configuration only; the broker sees
 * plain bytes.
 */
const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  tb: 1000 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
};

/** What a size may look like as text; also the pattern in the JSON Schema. Upper and lower case mean the same. */
export const BYTE_SIZE_PATTERN = '^[0-9]+(\\.[0-9]+)?( ?([kKmMgGtT][iI]?)?[bB])?$';

const SIZE = new RegExp(BYTE_SIZE_PATTERN);

/** @returns whole bytes, or undefined if `value` is not a size or not a whole number of bytes */
export function parseByteSize(value: number | string): number | undefined {
  const bytes = typeof value === 'number' ? value : bytesOfText(value);
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}

function bytesOfText(text: string): number {
  if (!SIZE.test(text)) return Number.NaN;
  const unit = text.replace(/[0-9. ]/g, '').toLowerCase();
  const factor = unit === '' ? 1 : (UNIT_BYTES[unit] ?? Number.NaN);
  return Number.parseFloat(text) * factor;
}

/** The shortest exact form, in 1024s: `1MiB`, `1536KiB`, `1000B`. `parseByteSize` reads it back to the same number. */
export function formatByteSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const factor = UNIT_BYTES[unit.toLowerCase()] ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}
