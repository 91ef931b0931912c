<?php

/**
 * Program: librenms_trap.php HANDLER, with a trap as snmptrapd gives it on standard input.
 * Prints the line that the handler leaves in the event log. The classes stand in for LibreNMS's own,
 * of which the handler uses these.
 */

namespace App\Models {
    class Device
    {
    }
}

namespace LibreNMS\Enum {
    enum Severity
    {
        case Ok;
        case Warning;
        case Error;
    }
}

namespace LibreNMS\Snmptrap {
    class Trap
    {
        private array $data = [];

        public function __construct(string $text)
        {
            [, , $rest] = explode("\n", trim($text), 3); // after the host and the transport
            foreach (explode("\n", $rest) as $line) {
                [$oid, $value] = explode(' ', $line, 2);
                $this->data[$oid] = trim($value, '"');
            }
        }

        public function findOid(string $part): string
        {
            return current(array_filter(array_keys($this->data), fn ($oid) => str_contains($oid, $part)));
        }

        public function getOidData(string $oid): string
        {
            return $this->data[$oid];
        }

        public function getTrapOid(): string
        {
            return $this->data['SNMPv2-MIB::snmpTrapOID.0'];
        }

        public function log(string $message, \LibreNMS\Enum\Severity $severity): void
        {
            echo "$severity->name: $message\n";
        }
    }
}

namespace LibreNMS\Interfaces {
    interface SnmptrapHandler
    {
        public function handle(\App\Models\Device $device, \LibreNMS\Snmptrap\Trap $trap);
    }
}

namespace {
    require $argv[1];
    $handler = '\\LibreNMS\\Snmptrap\\Handlers\\' . basename($argv[1], '.php');
    (new $handler())->handle(
        new \App\Models\Device(),
        new \LibreNMS\Snmptrap\Trap(stream_get_contents(STDIN))
    );
}
