import { describe, expect, it } from 'vitest';
import { MessageStream } from '../../../src/core/message-stream.js';
import { MessageRecorder } from '../../../src/sessions/message-recorder.js';
import { payloadOf } from '../../support/log-reading.js';
import { StandInLog } from '../../support/stand-in-log.js';
import { testMessage } from '../../support/test-message.js';

function setUp() {
  const opened = new StandInLog();
  const recorder = new MessageRecorder(opened.log, (topic) => (topic === 'm' ? 'memory' : 'fsync'));
  const reader = { positionIn: () => 0 };
  const streamOf = (id: number, isRead = true) => {
    const stream = new MessageStream(id);
    if (isRead) stream.addReader(reader);
    return stream;
  };
  return { opened, recorder, streamOf };
}

describe('MessageRecorder', () => {
  it('records a message once, in all streams in which somebody waits for it', async () => {
    const { opened, recorder, streamOf } = setUp();
    const [one, two, keepsUp, gone] = [streamOf(1), streamOf(2), streamOf(3), streamOf(4, false)];
    const message = testMessage({ payload: 'm' });
    recorder.begin(message);
    recorder.note([one, keepsUp], false);
    recorder.note([one, two], true);
    recorder.note([gone], true);
    recorder.hold();
    const { sequence } = recorder;
    expect(recorder.finish(message)).toBeGreaterThan(opened.settledTicket);
    expect([one, two, keepsUp, gone].map(({ length }) => length)).toEqual([1, 1, 0, 0]);
    expect([one.sequenceAt(0), one.bytesAt(0)]).toEqual([sequence, message.byteLength]);
    // Two streams and a window need it.
    for (let left = 3; left > 0; left--) {
      expect(payloadOf(opened.log, sequence)).toBe('m');
      opened.log.release(sequence);
    }
    expect(opened.log.messages).toBe(0);
  });

  it('tells a restart of all streams in which the message stands, awaited or not', async () => {
    const { opened, recorder, streamOf } = setUp();
    const message = testMessage({});
    recorder.begin(message);
    recorder.note([streamOf(5)], false);
    recorder.note([streamOf(6)], true);
    recorder.finish(message);
    await opened.commit();
    const seen: number[][] = [];
    await opened.reopen(({ streams }) => seen.push([...streams]));
    expect(seen).toEqual([[5, 6]]);
  });

  it('records nothing that nobody needs, and keeps its number for the next one', () => {
    const { opened, recorder, streamOf } = setUp();
    const stream = streamOf(1);
    const message = testMessage({});
    recorder.begin(message);
    recorder.note([stream], false);
    recorder.hold();
    recorder.letGo();
    const { sequence } = recorder;
    expect(recorder.finish(message)).toBe(0);
    expect([opened.log.messages, stream.length, recorder.sequence]).toEqual([0, 0, sequence]);
    recorder.begin(message);
    recorder.note([stream], true);
    recorder.finish(message);
    expect(stream.sequenceAt(0)).toBe(sequence);
  });

  it('has a round for each publication, and another one between two', () => {
    const { recorder } = setUp();
    const rounds = new Set([recorder.round]);
    for (let i = 0; i < 3; i++) {
      recorder.begin(testMessage({}));
      rounds.add(recorder.round);
      recorder.finish(testMessage({}));
      rounds.add(recorder.round);
    }
    expect(rounds.size).toBe(7);
  });

  it('asks for the level of the topic', () => {
    const { opened, recorder, streamOf } = setUp();
    const message = testMessage({ topic: 'm' });
    recorder.begin(message);
    recorder.note([streamOf(1)], true);
    expect(recorder.finish(message)).toBe(0);
    expect([opened.log.messages, opened.committer.isRequired]).toEqual([1, false]);
  });
});
