# What Data::ICal reads in many calendars: perl parser_data_ical.pl FOLDER -> JSON by file.
# It leaves times as text, so a time is given as [zone, local time].
use strict;
use warnings;
use Data::ICal;
use JSON::PP;

sub value {
    my ($entry, $name) = @_;
    my $found = $entry->properties->{$name} or return "";
    return $found->[0]->decoded_value;
}

sub local_time {
    my ($entry, $name) = @_;
    my $found = $entry->properties->{$name} or return undef;
    return [ $found->[0]->parameters->{TZID}, $found->[0]->value ];
}

sub event {
    my ($entry) = @_;
    return {
        uid => value($entry, "uid"),
        start => local_time($entry, "dtstart"),
        end => local_time($entry, "dtend"),
        summary => value($entry, "summary"),
        location => value($entry, "location"),
        description => value($entry, "description"),
        status => value($entry, "status"),
        sequence => value($entry, "sequence") + 0,
        alarms => [ map { value($_, "trigger") } grep { $_->ical_entry_type eq "VALARM" } @{ $entry->entries } ],
    };
}

my %found;
for my $path (glob("$ARGV[0]/*")) {
    open(my $file, "<:raw:encoding(UTF-8)", $path) or die "cannot read";
    my $body = do { local $/; <$file> };
    my ($name) = $path =~ m{([^/]+)$};
    my $calendar = eval { Data::ICal->new(data => $body) };
    $found{$name} = $calendar
        ? [ map { event($_) } grep { $_->ical_entry_type eq "VEVENT" } @{ $calendar->entries } ]
        : "not read";
}
print JSON::PP->new->utf8->canonical->encode(\%found);
