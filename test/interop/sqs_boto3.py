"""boto3 as Debian has it, which speaks the older Query protocol: every action, against the endpoint that is given."""
import json
import sys
import threading
import time

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

URL, KEY, SECRET = sys.argv[1:4]
OLD = 'AWS.SimpleQueueService.'


def client_of(service, key=KEY, secret=SECRET):
    return boto3.client(
        service,
        endpoint_url=URL,
        region_name='eu-central-1',
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={'max_attempts': 1}),
    )


sqs = client_of('sqs')


def check(name, condition):
    print(('ok ' if condition else 'FAILED ') + name, flush=True)


def refused(name, code, call, status=400):
    try:
        call()
        check(name, False)
    except ClientError as error:
        answer = error.response
        check(
            f'{name}: {code}',
            answer['Error']['Code'] == code and answer['ResponseMetadata']['HTTPStatusCode'] == status,
        )


check('speaks the Query protocol', sqs.meta.service_model.metadata['protocol'] == 'query')
check('knows who it is', client_of('sts').get_caller_identity()['Arn'].endswith(f'user/{KEY}'))

# Queues
url = sqs.create_queue(QueueName='q', Attributes={'VisibilityTimeout': '5'}, tags={'team': 'a'})['QueueUrl']
check('makes a queue', url == f'{URL}/000000000000/q')
check('finds it', sqs.get_queue_url(QueueName='q')['QueueUrl'] == url)
check('lists it', sqs.list_queues(QueueNamePrefix='q')['QueueUrls'] == [url])
check('lists none', 'QueueUrls' not in sqs.list_queues(QueueNamePrefix='none'))
sqs.set_queue_attributes(QueueUrl=url, Attributes={'VisibilityTimeout': '7', 'DelaySeconds': '0'})
attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']
check('sets and gets attributes', attributes['VisibilityTimeout'] == '7' and attributes['QueueArn'].endswith(':q'))
sqs.tag_queue(QueueUrl=url, Tags={'cost': 'b'})
sqs.untag_queue(QueueUrl=url, TagKeys=['team'])
check('tags it', sqs.list_queue_tags(QueueUrl=url)['Tags'] == {'cost': 'b'})

# Messages
body = 'grün\r\n<&>"\U0001f680'
given = {
    'colour': {'DataType': 'String', 'StringValue': 'r&d'},
    'count': {'DataType': 'Number', 'StringValue': '7'},
    'bytes': {'DataType': 'Binary', 'BinaryValue': b'\x00\xff'},
}
sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=given)
received = sqs.receive_message(QueueUrl=url, AttributeNames=['All'], MessageAttributeNames=['All'])['Messages'][0]
check('sends and receives', received['Body'] == body and received['MessageId'] == sent['MessageId'])
check('with attributes', received['MessageAttributes'] == given)
check('with their checksum', received['MD5OfMessageAttributes'] == sent['MD5OfMessageAttributes'])
check('counts', received['Attributes']['ApproximateReceiveCount'] == '1')
handle = received['ReceiptHandle']
check('has it alone', 'Messages' not in sqs.receive_message(QueueUrl=url))
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
again = sqs.receive_message(QueueUrl=url, AttributeNames=['ApproximateReceiveCount'])['Messages'][0]
check('gives it back', again['Attributes'] == {'ApproximateReceiveCount': '2'})
sqs.delete_message(QueueUrl=url, ReceiptHandle=again['ReceiptHandle'])
sqs.delete_message(QueueUrl=url, ReceiptHandle=again['ReceiptHandle'])
check('deletes, twice as well', True)

batch = sqs.send_message_batch(
    QueueUrl=url,
    Entries=[{'Id': str(at), 'MessageBody': f'm{at}'} for at in range(9)]
    + [{'Id': 'late', 'MessageBody': 'x', 'DelaySeconds': 901}],
)
check('sends a batch', [entry['Id'] for entry in batch['Successful']] == [str(at) for at in range(9)])
check('and is told what failed', [(e['Id'], e['Code']) for e in batch['Failed']] == [('late', 'InvalidParameterValue')])
messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)['Messages']
check('receives many', [message['Body'] for message in messages] == [f'm{at}' for at in range(9)])
entries = [{'Id': str(at), 'ReceiptHandle': message['ReceiptHandle']} for at, message in enumerate(messages)]
changed = sqs.change_message_visibility_batch(
    QueueUrl=url, Entries=[{**entry, 'VisibilityTimeout': 100} for entry in entries[:2]]
)
check('changes many', len(changed['Successful']) == 2)
deleted = sqs.delete_message_batch(QueueUrl=url, Entries=entries + [{'Id': 'bad', 'ReceiptHandle': 'x'}])
check('deletes many', len(deleted['Successful']) == 9 and deleted['Failed'][0]['Code'] == 'ReceiptHandleIsInvalid')

threading.Timer(0.5, lambda: client_of('sqs').send_message(QueueUrl=url, MessageBody='late')).start()
started = time.monotonic()
waited = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)['Messages'][0]
took = time.monotonic() - started
check('waits for a message', waited['Body'] == 'late' and 0.3 < took < 5)
sqs.purge_queue(QueueUrl=url)
counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['ApproximateNumberOfMessagesNotVisible'])
check('purges', counts['Attributes'] == {'ApproximateNumberOfMessagesNotVisible': '0'})

# Order
fifo = sqs.create_queue(QueueName='q.fifo', Attributes={'FifoQueue': 'true', 'ContentBasedDeduplication': 'true'})
fifo = fifo['QueueUrl']
for text in ['a1', 'b1', 'a2', 'a1']:
    sqs.send_message(QueueUrl=fifo, MessageBody=text, MessageGroupId=text[0])
first = sqs.receive_message(
    QueueUrl=fifo, MaxNumberOfMessages=10, AttributeNames=['All'], ReceiveRequestAttemptId='once'
)['Messages']
check('keeps the order of groups', [message['Body'] for message in first] == ['a1', 'a2', 'b1'])
check('numbers them', first[0]['Attributes']['SequenceNumber'] < first[1]['Attributes']['SequenceNumber'])
second = sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10, ReceiveRequestAttemptId='once')['Messages']
handles = [[message['ReceiptHandle'] for message in each] for each in (first, second)]
check('gets an attempt again', handles[0] == handles[1])

# Dead letters
dead = sqs.create_queue(QueueName='dead')['QueueUrl']
policy = {'deadLetterTargetArn': 'arn:aws:sqs:us-east-1:000000000000:dead', 'maxReceiveCount': '1'}
work = sqs.create_queue(QueueName='work', Attributes={'RedrivePolicy': json.dumps(policy)})['QueueUrl']
sqs.send_message(QueueUrl=work, MessageBody='poison')
poison = sqs.receive_message(QueueUrl=work)['Messages'][0]
sqs.change_message_visibility(QueueUrl=work, ReceiptHandle=poison['ReceiptHandle'], VisibilityTimeout=0)
check('gives up on it', 'Messages' not in sqs.receive_message(QueueUrl=work))
letter = sqs.receive_message(QueueUrl=dead, AttributeNames=['All'])['Messages'][0]
check('finds it among the dead letters', letter['MessageId'] == poison['MessageId'])
check('finds its source', sqs.list_dead_letter_source_queues(QueueUrl=dead)['queueUrls'] == [work])

# Errors
refused('an unknown queue', OLD + 'NonExistentQueue', lambda: sqs.get_queue_url(QueueName='none'))
try:
    sqs.get_queue_url(QueueName='none')
except sqs.exceptions.QueueDoesNotExist:
    check('an error has its class', True)
refused('a name', 'InvalidParameterValue', lambda: sqs.create_queue(QueueName='a b'))
refused('a handle', 'ReceiptHandleIsInvalid', lambda: sqs.delete_message(QueueUrl=url, ReceiptHandle='x'))
refused('characters', 'InvalidMessageContents', lambda: sqs.send_message(QueueUrl=url, MessageBody='\u0001'))
refused('no entries', OLD + 'EmptyBatchRequest', lambda: sqs.delete_message_batch(QueueUrl=url, Entries=[]))
same = [{'Id': 'a', 'MessageBody': 'x'}] * 2
refused('twice the same id', OLD + 'BatchEntryIdsNotDistinct', lambda: sqs.send_message_batch(QueueUrl=url, Entries=same))
refused('a wrong secret', 'SignatureDoesNotMatch', lambda: client_of('sqs', KEY, 'wrong').list_queues(), 403)
refused('an unknown key', 'InvalidClientTokenId', lambda: client_of('sqs', 'NOBODY').list_queues(), 403)
refused('what the key may not', 'AccessDenied', lambda: client_of('sqs', 'READER').purge_queue(QueueUrl=url), 403)

presigned = sqs.generate_presigned_url('list_queues', ExpiresIn=60, HttpMethod='GET')
answer = botocore.httpsession.URLLib3Session().send(botocore.awsrequest.AWSRequest('GET', presigned).prepare())
check('signs a URL', answer.status_code == 200 and b'<QueueUrl>' in answer.content)

for each in (url, fifo, work, dead):
    sqs.delete_queue(QueueUrl=each)
check('deletes queues', [each for each in sqs.list_queues()['QueueUrls'] if each in (url, fifo, work, dead)] == [])
