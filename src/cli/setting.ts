/**
 * The kinds of settings that a section of the configuration is made of. Every setting must say what it means and why
 * its default is what it is; from that one place come validation, messages, JSON Schema and the reference document.
 * Whatever is wrong with a value, the message is the same: what is expected, and what was found.
 */
import { z } from 'zod';
import { BYTE_SIZE_PATTERN, formatByteSize, parseByteSize } from './byte-size.js';
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.js';

interface Described {
  /** What it does, in one or two sentences, with the unit where there is one. */
  readonly description: string;
  /** Why the default is what it is; continues "Default: ". */
  readonly reason: string;
}

interface Ranged extends Described {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface DurationOptions extends Ranged {
  /** MQTT counts it in whole seconds. */
  readonly wholeSeconds?: boolean;
  /** The number that stands for "never"; the setting then takes that word too. */
  readonly never?: number;
}

/** `error` option of a zod schema: what is expected, and what was found. */
export function expected(what: string): { error: (issue: { readonly input?: unknown }) => string } {
  return { error: (issue) => `expected ${what}, found ${foundText(issue.input)}` };
}

function foundText(input: unknown): string {
  if (input === undefined || input === null) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a map';
  const text = JSON.stringify(input) ?? String(input);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function describe(setting: Described, unit: string): { description: string; 'x-unit': string } {
  return { description: `${setting.description} Default: ${setting.reason}.`, 'x-unit': unit };
}

/** A size in bytes: a number, or text such as `64KB` or `1MiB`. Parses to bytes. */
function size(setting: Omit<Ranged, 'max'> & { readonly max?: number }) {
  const max = setting.max ?? 2 ** 40;
  const range = `from ${formatByteSize(setting.min)} to ${formatByteSize(max)}`;
  const wanted = expected(`a size ${range} (such as 65536, 64KB or 1MiB)`);
  const text = z.string().meta({ pattern: BYTE_SIZE_PATTERN });
  return z
    .union([z.number().meta({ minimum: setting.min, maximum: max }), text], wanted)
    .transform((value, context): number => {
      const bytes = parseByteSize(value);
      if (bytes !== undefined && bytes >= setting.min && bytes <= max) return bytes;
      context.addIssue({ code: 'custom', message: wanted.error({ input: value }), input: value });
      return z.NEVER;
    })
    .prefault(formatByteSize(setting.default))
    .meta(describe(setting, 'bytes'));
}

/** A duration: a number of seconds, or text such as `10s` or `7d`. Parses to seconds. */
function duration(setting: DurationOptions) {
  const { never } = setting;
  return durationValue(setting)
    .prefault(setting.default === never ? 'never' : formatDuration(setting.default))
    .meta({ ...describe(setting, 'seconds'), ...(never === undefined ? {} : { 'x-never': never }) });
}

/** The same without a default, for what may be left out, and for items of lists. */
function durationValue(setting: Pick<DurationOptions, 'min' | 'max' | 'never' | 'wholeSeconds'>) {
  const { never, min, max } = setting;
  const highest = never === max ? '"never"' : formatDuration(max);
  const wanted = expected(
    `a duration from ${formatDuration(min)} to ${highest} (such as 10, ${setting.wholeSeconds ? '"10s"' : '"200ms"'} or "5m"${
      setting.wholeSeconds ? ', in whole seconds' : ''
    })`,
  );
  const pattern = never === undefined ? DURATION_PATTERN : `${DURATION_PATTERN}|^never$`;
  return z
    .union([z.number().meta({ minimum: min, maximum: max }), z.string().meta({ pattern })], wanted)
    .transform((value, context): number => {
      const seconds = never !== undefined && value === 'never' ? never : parseDuration(value);
      const fits = seconds !== undefined && seconds >= min && seconds <= max;
      if (fits && !(setting.wholeSeconds && !Number.isInteger(seconds))) return seconds;
      context.addIssue({ code: 'custom', message: wanted.error({ input: value }), input: value });
      return z.NEVER;
    });
}

/** A whole number of something. */
function count(setting: Ranged & { readonly unit: string }) {
  const wanted = expected(`a whole number from ${setting.min} to ${setting.max}`);
  return z
    .int(wanted)
    .min(setting.min, wanted)
    .max(setting.max, wanted)
    .default(setting.default)
    .meta(describe(setting, setting.unit));
}

/** One of a few words. */
function choice<const Words extends readonly [string, ...string[]]>(
  setting: Described & { readonly words: Words; readonly default: Words[number] },
) {
  return z
    .enum(setting.words, expected(`one of ${setting.words.join(', ')}`))
    .default(setting.default as never)
    .meta(describe(setting, ''));
}

/** A list of things that each have a schema of their own; empty unless set. `what` is what the items are called. */
function list<Item extends z.ZodType>(
  setting: Described & { readonly item: Item; readonly what: string; readonly max: number },
) {
  return z
    .array(setting.item, expected(`a list of ${setting.what}`))
    .max(setting.max, {
      error: ({ input }) => `expected at most ${setting.max} ${setting.what}, found ${(input as unknown[]).length}`,
    })
    .default([])
    .meta(describe(setting, ''));
}

/** The path of a file. @param description with the reason for the default, if it may be left out */
function file(description: string) {
  const wanted = expected('the path of a file');
  return z
    .string(wanted)
    .min(1, wanted)
    .refine((path) => !path.includes('\0'), wanted)
    .meta({ description, 'x-unit': '' });
}

export const setting = { size, duration, durationValue, count, choice, list, file };
