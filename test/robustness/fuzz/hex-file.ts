/**
 * Cases as text: what a failure leaves behind, and what lies in the corpus.
 *
 *   # why it is kept
 *   input                                          begins connections that are open together
 *   connection tcp packets always wait settle      begins one of them
 *   101000044d5154540502000000000361               a packet in hexadecimal digits
 */
import {
  ANSWERINGS,
  CHUNKINGS,
  type Delivery,
  ENDINGS,
  type FuzzCase,
  READINGS,
  type Script,
  TRANSPORTS,
} from './fuzz-input.js';

export function writeHexFile(fuzzCase: FuzzCase, why: string): string {
  const lines = why.split('\n').map((line) => `# ${line}`);
  for (const { scripts } of fuzzCase) {
    lines.push('input');
    for (const { delivery, packets } of scripts) {
      const { transport, chunking, reading, ending, answering } = delivery;
      lines.push(`connection ${transport} ${chunking} ${reading} ${ending} ${answering}`);
      for (const packet of packets) if (packet.length > 0) lines.push(packet.toString('hex'));
    }
  }
  return `${lines.join('\n')}\n`;
}

/** @throws SyntaxError with the number of the line */
export function readHexFile(text: string): FuzzCase {
  const inputs: { scripts: { delivery: Delivery; packets: Buffer[] }[] }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    if (content === 'input') inputs.push({ scripts: [] });
    else if (content.startsWith('connection ')) {
      if (inputs.length === 0) throw new SyntaxError(`line ${index + 1}: a connection outside of an input`);
      inputs.at(-1)?.scripts.push({ delivery: readDelivery(content, index + 1), packets: [] });
    } else readPacket(content, index + 1, inputs.at(-1)?.scripts.at(-1));
  }
  return inputs;
}

function readDelivery(content: string, line: number): Delivery {
  const [, transport, chunking, reading, ending, answering] = content.split(/\s+/);
  const wordOf = <T extends string>(words: readonly T[], word: string | undefined): T => {
    const found = words.find((candidate) => candidate === word);
    if (found === undefined) throw new SyntaxError(`line ${line}: "${word}" is none of ${words.join(', ')}`);
    return found;
  };
  return {
    transport: wordOf(TRANSPORTS, transport),
    chunking: wordOf(CHUNKINGS, chunking),
    reading: wordOf(READINGS, reading),
    ending: wordOf(ENDINGS, ending),
    answering: wordOf(ANSWERINGS, answering),
  };
}

function readPacket(content: string, line: number, script: Script | undefined): void {
  if (script === undefined) throw new SyntaxError(`line ${line}: a packet outside of a connection`);
  if (!/^([0-9a-f]{2})+$/i.test(content)) throw new SyntaxError(`line ${line}: not hexadecimal`);
  (script.packets as Buffer[]).push(Buffer.from(content, 'hex'));
}
