<?php
// Answers /NAME.asmx with PHP's own SoapServer, by the NAME.wsdl and the jobs of the served folder.

declare(strict_types=1);

const KEY = 'test-key';

const USAGE = <<<'XML'
    <BandwidthGetUsageResult xmlns="http://api.discountasp.net/"><xs:schema id="NewDataSet" xmlns=""
     xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:msdata="urn:schemas-microsoft-com:xml-msdata">
    <xs:element name="NewDataSet" msdata:IsDataSet="true"><xs:complexType><xs:choice>
    <xs:element name="UsageSummary">
    <xs:complexType><xs:sequence><xs:element name="UseDate" type="xs:dateTime" minOccurs="0"/>
    <xs:element name="Quantity" type="xs:decimal" minOccurs="0"/></xs:sequence></xs:complexType>
    </xs:element></xs:choice></xs:complexType></xs:element></xs:schema>
    <diffgr:diffgram xmlns:diffgr="urn:schemas-microsoft-com:xml-diffgram-v1">
    <NewDataSet xmlns=""><UsageSummary><UseDate>%s</UseDate><Quantity>1.50</Quantity></UsageSummary>
    <UsageSummary><UseDate>%s</UseDate></UsageSummary></NewDataSet></diffgr:diffgram>
    </BandwidthGetUsageResult>
    XML;

final class CustomerApi
{
    public function __construct(private string $folder)
    {
    }

    // SoapServer comes here for each operation of the WSDL: no method has the name of one.
    public function __call(string $operation, array $arguments): ?array
    {
        [$call] = $arguments;
        if (($call->key ?? null) !== KEY) {
            throw new SoapFault('Client', 'Invalid API key.');
        }
        return match ($operation) {
            'SMAddUser' => $this->write("$call->userName@$call->domainName", $call),
            'SMAddAlias' => $this->alias($call, $call->addresses),
            'SMUpdateAliasAddresses' => $this->alias($call, $call->newAddresses),
            default => [$operation . 'Result' => $this->result($operation, $call)],
        };
    }

    private function result(string $operation, object $call): mixed
    {
        return match ($operation) {
            'GetJobStatus' => $this->look($call->jobId),
            'Sql2012CreateBackup' => $this->start($operation),
            'GetDomainNames' => ['string' => ['example.com', null, '', 'bücher.example', ' a & b ']],
            'GetNoDomainNames' => ($call->want ?? '') === 'null' ? null : ['string' => []],
            // Null has arrived as a property that is null or as none.
            'EchoString' => $call->value ?? null,
            'EchoDateTime' => $call->value,
            // Given as `any`, it would be written twice: ASMX's WSDL has two places for it.
            'BandwidthGetUsage' => new SoapVar(
                sprintf(USAGE, $call->startDate, $call->endDate),
                XSD_ANYXML,
            ),
            'SMGetAllAliases' => array_values((array) $this->read($call->domainName)),
        };
    }

    // What a job answers, look by look; the last for all that follow.
    private function look(string $job): mixed
    {
        $looks = $this->read($job) ?? throw new SoapFault('Server', 'Job not found.');
        // A byte for each look: an append needs no turn among the workers.
        file_put_contents("$this->folder/$job.looks", '.', FILE_APPEND);
        $answer = $looks[min(filesize("$this->folder/$job.looks"), count($looks)) - 1];
        if (isset($answer['fault'])) {
            throw new SoapFault(...$answer['fault']);
        }
        if (isset($answer['exception'])) {
            throw new RuntimeException($answer['exception']);
        }
        return $answer;
    }

    private function start(string $operation): string
    {
        $hex = str_split(bin2hex(random_bytes(16)), 4);
        $job = vsprintf('%s%s-%s-%s-%s-%s%s%s', $hex);
        $running = [
            'JobName' => $operation,
            'Status' => 'Running',
            'StartDateTime' => time(),
            'CompletedDateTime' => '0001-01-01T00:00:00',
        ];
        $done = ['Status' => 'Completed', 'CompletedDateTime' => time()] + $running;
        $this->write($job, [$running, $done]);
        return $job;
    }

    private function alias(object $call, object $addresses): void
    {
        $aliases = $this->read($call->domainName) ?? [];
        $aliases[$call->aliasName] = [
            'EmailAddress' => "$call->aliasName@$call->domainName",
            'Addresses' => $addresses,
        ];
        $this->write($call->domainName, $aliases);
    }

    private function read(string $name): ?array
    {
        $file = "$this->folder/$name.json";
        return is_file($file) ? json_decode(file_get_contents($file), true) : null;
    }

    private function write(string $name, mixed $value): void
    {
        file_put_contents("$this->folder/$name.json", json_encode($value));
    }
}

ini_set('soap.wsdl_cache_enabled', '0');
$folder = $_SERVER['DOCUMENT_ROOT'];
$server = new SoapServer("$folder/" . basename($_SERVER['SCRIPT_NAME'], '.asmx') . '.wsdl');
$server->setObject(new CustomerApi($folder));
$server->handle();
