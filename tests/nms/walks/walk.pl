# Walks with libsnmp-perl, which loads the module: walk.pl PORT COMMUNITY DIRECTORIES ROOT
# A line an object: OID and name.
use strict;
use warnings FATAL => 'all';
use SNMP;

my ($port, $community, $directories, $root) = @ARGV;
SNMP::addMibDirs(split /:/, $directories);
SNMP::loadModules('TCP-RESET-MIB') or die "not loaded\n";
$SNMP::use_long_names = 0;
my $session = SNMP::Session->new(DestHost => "127.0.0.1:$port", Community => $community,
                                 Version => 2, UseNumeric => 1) or die "no session\n";
my ($varbinds) = $session->bulkwalk(0, 20, [[$root]]);
die $session->{ErrorStr} if $session->{ErrorNum};
for (@$varbinds) {
    my $oid = $_->iid eq '' ? $_->tag : $_->tag . '.' . $_->iid;
    my $name = SNMP::translateObj($oid, 0, 0) or die "$oid has no name\n";
    $oid =~ s/^\.//;
    $name =~ s/\..*//;
    print "$oid $name\n";
}
