<?php

namespace LibreNMS\Snmptrap\Handlers;

use App\Models\Device;
use LibreNMS\Enum\Severity;
use LibreNMS\Interfaces\SnmptrapHandler;
use LibreNMS\Snmptrap\Trap;

/**
 * Each notification of TCP-RESET-MIB is a line of the device's event log: its summary says it all.
 */
class TcpResetEvent implements SnmptrapHandler
{
    public function handle(Device $device, Trap $trap)
    {
        $summary = $trap->getOidData($trap->findOid('TCP-RESET-MIB::tcpResetEventSummary'));
        $severity = match ($trap->getTrapOid()) {
            'TCP-RESET-MIB::tcpResetAlarmRaised' => Severity::Error,
            'TCP-RESET-MIB::tcpResetAlarmCleared' => Severity::Ok,
            default => Severity::Warning,
        };

        $trap->log("TCP resets: $summary", $severity);
    }
}
