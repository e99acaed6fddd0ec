/** Every line of `cases/*.cases` is a test, for each of its versions. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCases } from './corpus/case-parser.js';
import { playCase } from './corpus/case-player.js';
import { versionName } from './corpus/statement-list.js';

const FOLDER = new URL('cases/', import.meta.url);
const SHARED = 'shared.macros';

const shared = parseCases(SHARED, readFileSync(new URL(SHARED, FOLDER), 'utf8'));
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.cases'));

it(`${SHARED} can be read`, () => {
  expect(shared.errors.map(({ message }) => message)).toEqual([]);
});

describe.each(files.sort())('%s', (file) => {
  const { cases, errors } = parseCases(file, readFileSync(new URL(file, FOLDER), 'utf8'), shared.macros);

  it('can be read', () => {
    expect(errors.map(({ message }) => message)).toEqual([]);
  });

  for (const played of cases) {
    const { version, title, claims } = played;
    const meta = { conformance: { version, title, file, claims } };
    it(`${versionName(version)}: ${title}`, { meta }, () => playCase(played));
  }
});
