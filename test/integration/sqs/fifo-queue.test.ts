/** Order, deduplication and receive attempts of fifo queues. */
import { describe, expect, it } from 'vitest';
import { FIFO, failure, withQueue } from '../../support/sqs-queue.js';

describe('a fifo queue', () => {
  it('keeps the order of each group, and holds a group back while one of it is out', async () => {
    const { queue } = await withQueue('q.fifo', { ...FIFO, ContentBasedDeduplication: 'true' });
    for (const body of ['a1', 'b1', 'a2', 'b2', 'a3']) await queue.send(body, { MessageGroupId: body[0] });
    const all = { MessageSystemAttributeNames: ['All' as const], MaxNumberOfMessages: 1 };
    const [first] = await queue.receive(all);
    expect(first).toMatchObject({ Body: 'a1', Attributes: { MessageGroupId: 'a' } });
    expect(first?.Attributes?.SequenceNumber).toMatch(/^\d{20}$/);
    const second = await queue.receive();
    expect(second.map(({ Body }) => Body)).toEqual(['b1', 'b2']);
    expect(await queue.receive()).toEqual([]);
    await queue.hide(first, 0);
    expect(await queue.bodies()).toEqual(['a1', 'a2', 'a3']);
  });

  it('takes a message once within five minutes, by id or by content', async () => {
    const { queue, broker } = await withQueue('q.fifo', { ...FIFO, ContentBasedDeduplication: 'true' });
    const group = { MessageGroupId: 'g' };
    const sent = await queue.send('x', group);
    expect(await queue.send('x', group)).toMatchObject({ MessageId: sent.MessageId });
    await queue.send('x', { ...group, MessageDeduplicationId: 'other' });
    await queue.send('y', { ...group, MessageDeduplicationId: 'other' });
    expect(await queue.attribute('ApproximateNumberOfMessages')).toBe('2');
    broker.clock.advance(300_000);
    await queue.send('x', group);
    expect(await queue.attribute('ApproximateNumberOfMessages')).toBe('3');
  });

  it('tells a sender to come again while no more ids can be remembered', async () => {
    const { queue, broker } = await withQueue('q.fifo', FIFO);
    broker.queues.workQueues.registry.configure('q.fifo', { maxDeduplicationBytes: 1 });
    const send = (MessageDeduplicationId: string) => queue.send('x', { MessageGroupId: 'g', MessageDeduplicationId });
    await send('1');
    await send('1');
    await expect(send('2')).rejects.toEqual(failure('RequestThrottled', 'RequestThrottled'));
    broker.clock.advance(300_000);
    await send('2');
    expect(await queue.attribute('ApproximateNumberOfMessages')).toBe('2');
  });

  it('deduplicates within groups only, if it is told to', async () => {
    const { queue } = await withQueue('q.fifo', { ...FIFO, DeduplicationScope: 'messageGroup' });
    const send = (group: string) => queue.send('x', { MessageGroupId: group, MessageDeduplicationId: 'd' });
    for (const group of ['a', 'b', 'a']) await send(group);
    const messages = await queue.receive({ MessageSystemAttributeNames: ['All'] });
    expect(messages.map(({ Attributes }) => [Attributes?.MessageGroupId, Attributes?.MessageDeduplicationId])).toEqual([
      ['a', 'd'],
      ['b', 'd'],
    ]);
  });

  it.each([
    [{ MessageDeduplicationId: 'x' }, 'MissingParameter', 'MissingParameter'],
    [{ MessageGroupId: 'x' }, 'InvalidParameterValue', 'InvalidParameterValue'],
    [
      { MessageGroupId: 'x', MessageDeduplicationId: 'x', DelaySeconds: 1 },
      'InvalidParameterValue',
      'InvalidParameterValue',
    ],
  ])('refuses a message with %j', async (others, name, code) => {
    const { queue } = await withQueue('q.fifo', FIFO);
    await expect(queue.send('x', others)).rejects.toEqual(failure(name, code));
    await queue.send('x', { MessageGroupId: 'x', MessageDeduplicationId: 'x', DelaySeconds: 0 });
  });

  it('takes the newest handle only, and only while it lasts', async () => {
    const { queue, broker } = await withQueue('q.fifo', { ...FIFO, VisibilityTimeout: '5' });
    await queue.send('x', { MessageGroupId: 'g', MessageDeduplicationId: '1' });
    const [first] = await queue.receive();
    broker.clock.advance(5000);
    await expect(queue.remove(first)).rejects.toEqual(
      failure('InvalidParameterValue', 'InvalidParameterValue', expect.stringContaining('has expired')),
    );
    const [second] = await queue.receive();
    await expect(queue.remove(first)).rejects.toThrow('has expired');
    await queue.remove(second);
    expect(await queue.attribute('ApproximateNumberOfMessagesNotVisible')).toBe('0');
  });

  it('gives the same messages again for the same attempt, until something is done with one', async () => {
    const { queue, broker } = await withQueue('q.fifo', { ...FIFO, VisibilityTimeout: '30' });
    for (const id of ['1', '2']) await queue.send(id, { MessageGroupId: 'g', MessageDeduplicationId: id });
    const ask = () => queue.receive({ ReceiveRequestAttemptId: 'attempt' });
    const first = await ask();
    expect(first).toHaveLength(2);
    broker.clock.advance(20_000);
    const again = await ask();
    expect(again.map(({ ReceiptHandle }) => ReceiptHandle)).toEqual(first.map(({ ReceiptHandle }) => ReceiptHandle));
    // They are hidden anew.
    broker.clock.advance(20_000);
    expect(await queue.receive()).toEqual([]);
    await queue.remove(again[0]);
    expect(await ask()).toEqual([]);
  });
});
