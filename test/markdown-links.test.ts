/** Links between the Markdown files of the repository lead somewhere: to files that are there, and to headings in them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDERS = ['docs', 'examples', 'helm', 'test', 'bench', 'devices-sim', 'packaging'];

const files = [
  ...readdirSync(ROOT),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  ),
].filter((file) => file.endsWith('.md'));

/** Without what stands in code, where brackets are no links and # is no heading. */
function proseOf(text: string): string {
  return text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}

interface Link {
  readonly text: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly anchor: string;
}

function relativeLinks(text: string, from: string): readonly Link[] {
  const targets = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z][a-z+.-]*:/.test(target))
    .map((target) => {
      const [path = '', anchor = ''] = target.split('#');
      return { text: target, file: path === '' ? from : normalize(join(dirname(from), path)), anchor };
    });
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const headings = [...proseOf(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
  const anchors = headings.map((heading) => {
    const title = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').trim();
    const anchor = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    const earlier = seen.get(anchor) ?? 0;
    seen.set(anchor, earlier + 1);
    return earlier === 0 ? anchor : `${anchor}-${earlier}`;
  });
  return new Set(anchors);
}

function brokenLinks(text: string, from: string): readonly string[] {
  return relativeLinks(text, from)
    .filter(({ file, anchor }) => {
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== '' && file.endsWith('.md') && !anchorsOf(readFileSync(join(ROOT, file), 'utf8')).has(anchor);
    })
    .map((link) => link.text);
}

describe('the Markdown files', () => {
  test('are found, in folders too', () => {
    expect(files).toEqual(
      expect.arrayContaining(['README.md', join('docs', 'queues.md'), join('examples', 'README.md')]),
    );
  });

  test.each(files)('%s has no link that leads nowhere', (file) => {
    expect(brokenLinks(readFileSync(join(ROOT, file), 'utf8'), file)).toEqual([]);
  });

  test('tell of a file that is missing, and of a heading, but of nothing within code', () => {
    const text = '[1](#none) [2](README.md) [3](docs/none.md) [4](README.md#none) `[5](none)`';
    expect(brokenLinks(text, 'README.md')).toEqual(['#none', 'docs/none.md', 'README.md#none']);
  });
});
