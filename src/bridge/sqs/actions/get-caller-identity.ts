import type { SqsAction } from '../sqs-call.js';

/** Of another service, and asked for by tools that want to know whether their credentials work. */
export const getCallerIdentity: SqsAction = {
  name: 'GetCallerIdentity',
  run(call) {
    const { account } = call.service.options;
    const id = call.caller.id === '' ? 'anybody' : call.caller.id;
    call.reply({ Arn: `arn:aws:iam::${account}:user/${id}`, UserId: id, Account: account });
  },
};
